import { measureRoom } from "/work/wt/audit/io-sim/bench/simulated-room.ts";

const meter = {
  cpuMicros() {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  heapBytes: () => process.memoryUsage().heapUsed,
  collect() {},
};
const c = process.argv[2] as "real" | "checksum";
console.log(measureRoom(c, Number(process.argv[3] ?? 10), meter, () => {}));
