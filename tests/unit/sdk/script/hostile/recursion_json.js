// ends: error
// ToJSON asks for JSON.
function main() {
  var o = { toJSON: function () { return JSON.parse(JSON.stringify({ o: o })); } };
  return JSON.stringify(o);
}
