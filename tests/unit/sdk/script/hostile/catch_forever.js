// ends: timeout
// Every error is caught, the one that stops it as well.
function main() {
  while (true) {
    try {
      while (true) {}
    } catch (e) {
    } finally {
      continue;
    }
  }
}
