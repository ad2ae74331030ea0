// ends: timeout
// Loops in loops, none of them endless.
function main() {
  var n = 0;
  for (var a = 0; a < 1e6; a++) for (var b = 0; b < 1e6; b++) for (var c = 0; c < 1e6; c++) n += a ^ b ^ c;
  return n;
}
