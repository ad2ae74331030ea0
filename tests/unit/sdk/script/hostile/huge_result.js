// ends: result
// A result that is too long.
function main() {
  var s = 'x';
  while (s.length < 1 << 20) s += s;
  return s;
}
