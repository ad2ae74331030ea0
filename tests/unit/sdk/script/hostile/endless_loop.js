// ends: timeout
// An endless loop.
function main() { while (true) {} }
