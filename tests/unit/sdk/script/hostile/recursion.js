// ends: error
// Calls itself.
function main() { return main() + 1; }
