// ends: error
// A getter that reads itself.
function main() {
  var o = { get x() { return this.x + 1; } };
  return o.x;
}
