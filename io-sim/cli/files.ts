/**
 * Files that the command line reads and writes. What can't be written is said before a run that takes minutes, and what
 * can't be read is said with the file's name and in words.
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { isJournal } from "../../core/index.ts";
import { Misuse } from "./misuse.ts";

/** What the system's words mean. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "you have no permission to",
  EEXIST: "there is a file where a folder has to be",
  EISDIR: "it is a directory",
  ENOENT: "there is no such file or folder",
  ENOSPC: "the disk is full",
  ENOTDIR: "there is a file where a folder has to be",
  EPERM: "you have no permission to",
  EROFS: "the file system takes no changes",
};

/** The bytes of a file. */
export function readOrMisuse(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const isFolder = (error as NodeJS.ErrnoException).code === "EISDIR";
    throw new Misuse(`Can't read "${file}": ${reasonOf(error)}${isFolder ? "; name one of the files in it" : ""}.`);
  }
}

/** Writes a file; a path that can't be written to is wrong use. */
export function writeOrMisuse(file: string, content: string | Uint8Array): void {
  try {
    writeFileSync(file, content);
  } catch (error) {
    throw cantWrite(file, error);
  }
}

/** Refuses a file that can't be written where it is wanted; undefined is no file. */
export function mustTakeFile(file: string | undefined): void {
  if (file === undefined) return;
  const folder = dirname(file);
  if (kindOf(folder) === "nothing") throw new Misuse(`Can't write "${file}": there is no folder "${folder}".`);
  if (kindOf(file) === "folder") throw cantWrite(file, { code: "EISDIR" });
  if (kindOf(file) === "nothing") mustTakeEntries(file, folder);
  else mustAllowWriting(file, file);
}

/** Refuses a folder in which no file can be written, whether it is there already or has to be made. */
export function mustTakeFolder(folder: string): void {
  let path = resolve(folder);
  while (kindOf(path) === "nothing" && dirname(path) !== path) path = dirname(path);
  if (kindOf(path) === "file") throw cantWrite(folder, { code: "ENOTDIR" });
  mustTakeEntries(folder, path);
}

/** Makes a folder, and those above it that are missing; one that can't be made is wrong use. */
export function makeFolder(folder: string): void {
  const path = resolve(folder);
  if (kindOf(path) === "folder") return;
  // One after the other: asked for all of them at once, Node 20 tries for ever where the system takes no new ones, as in /proc.
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    throw cantWrite(folder, error);
  }
}

/**
 * Refuses what is `wanted` where the folder that is there takes nothing new. That is tried, not asked: everything is
 * permitted to root, and yet neither a full disk nor /proc takes anything.
 */
function mustTakeEntries(wanted: string, folder: string): void {
  mustAllowWriting(wanted, folder);
  try {
    rmdirSync(mkdtempSync(join(folder, ".lockstep-")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw cantWrite(wanted, error);
    throw new Misuse(`Can't write "${wanted}": nothing new can be made in "${folder}"; name another place.`);
  }
}

function mustAllowWriting(wanted: string, path: string): void {
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw cantWrite(wanted, error);
  }
}

/** What lies at a path. */
export function kindOf(path: string): "file" | "folder" | "nothing" {
  // Below a file there is nothing either, but that is thrown all the same.
  if (!existsSync(path)) return "nothing";
  return statSync(path).isDirectory() ? "folder" : "file";
}

/** Whether a text or bytes are a journal: the simulator's, or a server's. */
export function looksLikeJournal(bytes: Uint8Array): boolean {
  if (isJournal(bytes)) return true;
  return new TextDecoder().decode(bytes.subarray(0, 32)).startsWith('{"type":"boot"');
}

function cantWrite(file: string, error: unknown): Misuse {
  return new Misuse(`Can't write "${file}": ${reasonOf(error)}.`);
}

function reasonOf(error: unknown): string {
  const { code = "unknown reason" } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? code;
}
