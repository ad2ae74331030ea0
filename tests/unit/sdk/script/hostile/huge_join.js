// ends: timeout
// Joins a list of holes.
function main() {
  var a = new Array(400000000);
  return a.join('').length;
}
