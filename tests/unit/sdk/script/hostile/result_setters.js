// ends: ok
// A number that is none.
function main() {
  var n = new Number(3);
  n.toJSON = function () { return 'not a number'; };
  n.valueOf = function () { return NaN; };
  Object.defineProperty(n, 'x', { set: function () { for (;;) {} }, get: function () { return n; } });
  return n;
}
