// ends: memory
// A text that doubles.
function main() {
  var s = 'x';
  for (;;) s += s;
}
