// ends: error
// ValueOf and toString call each other.
function main() {
  var o = { valueOf: function () { return +('' + this + this); }, toString: function () { return this * 1; } };
  return o + 1;
}
