// ends: error
// A replacement that replaces.
function f(s) { return s.replace(/a/, f); }
function main() { return f('a'); }
