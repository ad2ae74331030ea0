// ends: error
// Throws what cannot be told.
function main() {
  throw { get message() { throw this; }, toString: function () { throw this; }, valueOf: function () { throw this; } };
}
