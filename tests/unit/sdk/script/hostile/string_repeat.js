// ends: memory
// One call that asks for it all.
function main() {
  return new Array(1 << 27).join('0123456789').length;
}
