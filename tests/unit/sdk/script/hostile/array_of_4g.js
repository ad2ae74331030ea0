// ends: timeout
// Walks a list as long as lists can be.
function main() {
  var a = [];
  a.length = 4294967295;
  var seen = 0;
  a.forEach(function () { seen++; });
  return Array.prototype.lastIndexOf.call(a, 1) + a.indexOf(2) + seen;
}
