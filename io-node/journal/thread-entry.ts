/**
 * The module that the journals' thread runs in production. It is a file of its own, so that a test can start one that writes
 * to something else than a disk.
 */
import { runWriterThread } from "./writer-thread.ts";

runWriterThread();
