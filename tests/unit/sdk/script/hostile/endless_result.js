// ends: timeout
// A result that grows while it is written.
function main() {
  var a = [0];
  a.__defineGetter__ && 0;
  Object.defineProperty(a, 0, { enumerable: true, get: function () { for (;;) {} } });
  return a;
}
