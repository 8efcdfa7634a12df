/** What a shard's thread asks of a system that grants all of it, a part or nothing. */
import { describe, expect, it } from "vitest";
import { loadLibc } from "../../../io-node/fast/libc.ts";
import { raisePriority } from "../../../io-node/fast/priority.ts";

const libc = loadLibc();
const GET = [315, 275];

/** A system whose thread has a class and a nice value; it grants what `grants` says and keeps slices if it knows them. */
function createSystem({ schedulingClass = 0, nice = 0, grants = (_: number) => true, knowsSlices = true }) {
  if (typeof libc === "string") throw new Error(libc);
  const { native } = libc;
  const thread = { schedulingClass, nice, sliceNanos: 1_400_000, asked: [] as number[] };
  const syscall = (call: number | string, _thread: number | string, address: number | string) => {
    const bytes = native.view(Number(address), 48);
    const words = new DataView(bytes.buffer, bytes.byteOffset, 48);
    if (GET.includes(Number(call))) {
      words.setUint32(0, 48, true);
      words.setUint32(4, thread.schedulingClass, true);
      words.setInt32(16, thread.nice, true);
      words.setUint32(24, knowsSlices ? thread.sliceNanos : 0, true);
      return 0;
    }
    const wanted = words.getInt32(16, true);
    thread.asked.push(wanted);
    if (!grants(wanted)) return -1;
    thread.nice = wanted;
    thread.sliceNanos = words.getUint32(24, true);
    return 0;
  };
  return { thread, libc: { native, syscall } };
}

describe.runIf(typeof libc !== "string")("the priority of a thread", () => {
  it("is ten steps before that of the process, in slices of a tenth of a millisecond", () => {
    const system = createSystem({});
    expect(raisePriority(system.libc)).toEqual({ nice: -10, sliceMicros: 100 });
    expect(system.thread).toMatchObject({ nice: -10, sliceNanos: 100_000, asked: [-10] });
  });

  it("counts from what the operator has given the process, and ends where the system's does", () => {
    expect(raisePriority(createSystem({ nice: 5 }).libc)?.nice).toBe(-5);
    expect(raisePriority(createSystem({ nice: -15 }).libc)?.nice).toBe(-20);
  });

  it("has the short slices alone where nobody may have a larger share", () => {
    const system = createSystem({ nice: 5, grants: (nice) => nice >= 5 });
    expect(raisePriority(system.libc)).toEqual({ nice: 5, sliceMicros: 100 });
    expect(system.thread.asked).toEqual([-5, 5]);
  });

  it("has the larger share alone on a Linux that keeps its own slices", () => {
    expect(raisePriority(createSystem({ knowsSlices: false }).libc)).toEqual({ nice: -10, sliceMicros: 0 });
  });

  it("stays as it is where everything is refused, or goes unheard", () => {
    const refusing = createSystem({ grants: () => false });
    expect(raisePriority(refusing.libc)).toBeUndefined();
    expect(refusing.thread.nice).toBe(0);
    const deaf = createSystem({ grants: (nice) => nice >= 0, knowsSlices: false });
    expect(raisePriority(deaf.libc)).toBeUndefined();
    const { native } = refusing.libc;
    expect(raisePriority({ native, syscall: () => -1 })).toBeUndefined();
  });

  it("is left alone in another scheduling class than the usual one", () => {
    const system = createSystem({ schedulingClass: 1 });
    expect(raisePriority(system.libc)).toBeUndefined();
    expect(system.thread.asked).toEqual([]);
  });
});
