// Stands where a package names a module of node's that it never uses in a browser.
export default {};
