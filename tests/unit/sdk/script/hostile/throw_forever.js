// ends: timeout
// Throws and catches as fast as it can.
function main() {
  for (;;) {
    try {
      throw new Error(new Array(1000).join('x'));
    } catch (e) {}
  }
}
