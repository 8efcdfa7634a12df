/** Makes koffi unfindable in the process that imports this first: a machine without a binary for it. */
import Module from "node:module";

const resolve = Module._resolveFilename;
Module._resolveFilename = (name, ...rest) => {
  if (name === "koffi") throw new Error("Cannot find module 'koffi'");
  return resolve(name, ...rest);
};
