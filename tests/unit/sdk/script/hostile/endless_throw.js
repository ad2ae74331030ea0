// ends: timeout
// Throws what takes forever to be told.
function main() {
  throw { toString: function () { for (;;) {} } };
}
