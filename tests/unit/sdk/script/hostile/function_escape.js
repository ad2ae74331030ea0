// ends: error
// The constructors of functions.
function main() {
  var f = (function () {}).constructor || Object.getPrototypeOf(main).constructor;
  return f('return this')().eval('1 + 1');
}
