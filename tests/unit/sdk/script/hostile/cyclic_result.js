// ends: error
// A result without an end.
function main() {
  var a = [];
  a.push(a);
  return a;
}
