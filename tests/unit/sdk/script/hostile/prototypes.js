// ends: ok
// Changes what every object inherits; the next run must not see it.
Object.prototype.score = 1e9;
Object.prototype.toJSON = function () { return 'owned'; };
Array.prototype.push = function () { return 0; };
String.prototype.indexOf = function () { return 7; };
RegExp.prototype.test = function () { return true; };
Error.prototype.toString = function () { return 'owned'; };
function main() { return 1; }
