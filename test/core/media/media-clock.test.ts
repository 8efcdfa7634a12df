import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MICROS_ORIGIN, type Micros, micros, type WallMicros } from "../../../core/base/micros.ts";
import { seqDistance32 } from "../../../core/base/sequence.ts";
import { clockUnits } from "../../../core/media/clock-units.ts";
import {
  createMediaClock,
  createNtpOffset,
  mediaClockKnown,
  mediaClockPacket,
  mediaClockReport,
  mediaClockTimestampAt,
  ntpOffsetReport,
  ntpToWall,
  wallToNtpHigh,
  wallToNtpLow,
  wallToNtpMiddle,
} from "../../../core/media/media-clock.ts";

/** 2026-11-23 in microseconds. */
const WALL = 1_795_392_000_000_000;
const MILLISECOND = 1_000;

/** A publisher whose NTP clock is `skew` microseconds off and drifts; times are microseconds since the origin. */
interface Publisher {
  skew: number;
  driftPpm: number;
}

function publisherWall(publisher: Publisher, time: number): WallMicros {
  return (WALL + time + publisher.skew + Math.floor((time * publisher.driftPpm) / 1_000_000)) as WallMicros;
}

/** What a stream's clock shows at `time`, when it showed `first` at time 0. */
function timestampAt(publisher: Publisher, time: number, clockRate: number, first: number): number {
  const passed = publisherWall(publisher, time) - publisherWall(publisher, 0);
  return (first + clockUnits(micros(passed), clockRate)) >>> 0;
}

function at(time: number): Micros {
  return micros(MICROS_ORIGIN + time);
}

describe("NTP time", () => {
  it("is exact in both halves", () => {
    // 1970-01-01T00:00:00.5Z
    expect(wallToNtpHigh(500_000 as WallMicros)).toBe(2_208_988_800);
    expect(wallToNtpLow(500_000 as WallMicros)).toBe(0x8000_0000);
    expect(wallToNtpMiddle(500_000 as WallMicros)).toBe(0x7e80_8000);
  });

  it("comes back as the same microsecond, before and after the era ends in 2036", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_500_000_000 }), fc.nat(999_999), (second, rest) => {
        const wall = (second * 1_000_000 + rest) as WallMicros;
        expect(ntpToWall(wallToNtpHigh(wall), wallToNtpLow(wall))).toBe(wall);
      }),
    );
  });

  it("starts a new era in 2036", () => {
    const wall = (2_085_978_496 * 1_000_000) as WallMicros;
    expect(wallToNtpHigh(wall)).toBe(0);
    expect(wallToNtpHigh((wall - 1) as WallMicros)).toBe(0xffff_ffff);
  });
});

describe("NTP offset", () => {
  function report(offset: ReturnType<typeof createNtpOffset>, time: number, delay: number, publisher: Publisher): void {
    const wall = publisherWall(publisher, time);
    ntpOffsetReport(offset, at(time + delay), wallToNtpHigh(wall), wallToNtpLow(wall));
  }

  const truth = (publisher: Publisher) => MICROS_ORIGIN - WALL - publisher.skew;

  it("takes the quickest of its first reports", () => {
    const publisher = { skew: -7_000_000, driftPpm: 0 };
    const offset = createNtpOffset();
    [90_000, 21_000, 60_000].forEach((delay, i) => {
      report(offset, i * 1_000_000, delay, publisher);
    });
    expect(offset.offsetMicros).toBe(truth(publisher) + 21_000);
  });

  it("follows a quicker report at once, however many streams report in each compound packet, and however late it comes", () => {
    const publisher = { skew: 0, driftPpm: 0 };
    const offset = createNtpOffset();
    [90_000, 80_000, 70_000, 85_000, 88_000, 79_000, 21_000].forEach((delay, i) => {
      for (let stream = 0; stream < 4; stream++) report(offset, i * 1_000_000, delay, publisher);
    });
    expect(offset.offsetMicros).toBe(truth(publisher) + 21_000);
  });

  it("is not moved by a report that was held up", () => {
    const publisher = { skew: 0, driftPpm: 0 };
    const offset = createNtpOffset();
    for (let i = 0; i < 20; i++) {
      report(offset, i * 1_000_000, i === 5 || i === 15 ? 900_000 : 20_000, publisher);
      expect(offset.offsetMicros).toBe(truth(publisher) + 20_000);
    }
  });

  it("forgets old reports, so that it keeps up with a slow clock that reports rarely", () => {
    const publisher = { skew: 0, driftPpm: -100 };
    const offset = createNtpOffset();
    for (let i = 0; i < 100; i++) report(offset, i * 5_000_000, 20_000, publisher);
    const drifted = Math.floor((495_000_000 * 100) / 1_000_000);
    expect(Math.abs(offset.offsetMicros - (truth(publisher) + 20_000 + drifted))).toBeLessThan(4 * MILLISECOND);
  });

  it("follows drift slowly, never faster than any clock drifts", () => {
    const publisher = { skew: 0, driftPpm: 100 };
    const offset = createNtpOffset();
    let before = 0;
    for (let i = 0; i < 300; i++) {
      report(offset, i * 1_000_000, 20_000, publisher);
      if (i > 10) expect(Math.abs(offset.offsetMicros - before)).toBeLessThanOrEqual(600);
      before = offset.offsetMicros;
    }
    const drifted = -Math.floor((299_000_000 * 100) / 1_000_000);
    expect(Math.abs(offset.offsetMicros - (truth(publisher) + 20_000 + drifted))).toBeLessThan(4 * MILLISECOND);
  });

  it("follows at once when the publisher's clock is set forward", () => {
    const offset = createNtpOffset();
    for (let i = 0; i < 10; i++) report(offset, i * 1_000_000, 20_000, { skew: 0, driftPpm: 0 });
    const ahead = { skew: 5_000_000, driftPpm: 0 };
    report(offset, 10_000_000, 20_000, ahead);
    expect(offset.offsetMicros).toBe(truth(ahead) + 20_000);
  });

  it("moves no faster than a clock drifts while a queue holds up report after report", () => {
    const publisher = { skew: 0, driftPpm: 0 };
    const offset = createNtpOffset();
    for (let i = 0; i < 10; i++) report(offset, i * 1_000_000, 20_000, publisher);
    for (let i = 10; i < 60; i++) report(offset, i * 1_000_000, 2_800_000, publisher);
    expect(offset.offsetMicros - (truth(publisher) + 20_000)).toBeLessThanOrEqual(50 * 500);
    report(offset, 60_000_000, 20_000, publisher);
    expect(offset.offsetMicros - (truth(publisher) + 20_000)).toBeLessThanOrEqual(50 * 500);
  });
});

describe("media clock", () => {
  function report(
    clock: ReturnType<typeof createMediaClock>,
    time: number,
    delay: number,
    publisher: Publisher,
    first: number,
  ): void {
    const wall = publisherWall(publisher, time);
    const timestamp = timestampAt(publisher, time, clock.clockRate, first);
    mediaClockReport(clock, at(time + delay), wallToNtpHigh(wall), wallToNtpLow(wall), timestamp);
  }

  it("knows nothing before the first packet", () => {
    expect(mediaClockKnown(createMediaClock(90_000))).toBe(false);
  });

  /** A packet of the stream that was taken in at `time`. */
  function packet(
    clock: ReturnType<typeof createMediaClock>,
    time: number,
    delay: number,
    publisher: Publisher,
    first: number,
  ): void {
    mediaClockPacket(clock, at(time + delay), timestampAt(publisher, time, clock.clockRate, first));
  }

  /** How far the clock's answer for `now` is from what a way of `delay` explains, in microseconds; positive means ahead. */
  function aheadBy(
    clock: ReturnType<typeof createMediaClock>,
    now: number,
    delay: number,
    publisher: Publisher,
    first: number,
  ): number {
    const truth = timestampAt(publisher, now - delay, clock.clockRate, first);
    return (seqDistance32(truth, mediaClockTimestampAt(clock, at(now))) * 1_000_000) / clock.clockRate;
  }

  const even = { skew: 0, driftPpm: 0 };
  const nearWrap = [0, 0x7fff_ff00, 0xffff_0000, 0xffff_ffff];

  it("takes even the first report for no later than the packets before it show", () => {
    for (const first of nearWrap) {
      const clock = createMediaClock(48_000);
      for (let i = 0; i < 50; i++) packet(clock, i * 20_000, 20_000, even, first);
      report(clock, 1_000_000, 2_700_000, even, first);
      expect(Math.abs(clock.offset.offsetMicros - (MICROS_ORIGIN - WALL + 20_000))).toBeLessThan(50);
      expect(Math.abs(aheadBy(clock, 3_700_000, 20_000, even, first))).toBeLessThan(50);
    }
  });

  it("learns the time at a server that stands still nearly always", () => {
    for (const first of nearWrap) {
      const clock = createMediaClock(48_000);
      // Of every second it runs for 10 ms; whatever has come meanwhile is handled then.
      const held = (time: number) => 20_000 + Math.max(0, Math.ceil(time / 1_000_000) * 1_000_000 - 10_000 - time);
      for (let i = 0; i < 500; i++) {
        const time = i * 20_000;
        packet(clock, time, held(time), even, first);
        if (i % 50 === 5) report(clock, time, held(time), even, first);
      }
      const ahead = aheadBy(clock, 10_100_000, 20_000, even, first);
      expect(ahead).toBeLessThanOrEqual(50);
      expect(ahead).toBeGreaterThanOrEqual(-20_000);
    }
  });

  it("learns as much from a report that comes behind newer ones", () => {
    const clock = createMediaClock(90_000);
    for (let i = 0; i < 200; i++) packet(clock, i * 30_000, 20_000, even, 7);
    report(clock, 5_000_000, 20_000, even, 7);
    report(clock, 1_000_000, 4_900_000, even, 7);
    expect(Math.abs(aheadBy(clock, 6_000_000, 20_000, even, 7))).toBeLessThan(50);
  });

  it("lets packets from before a jump of the timestamps say nothing of reports behind it", () => {
    for (const jumpMicros of [-20_000_000, -300_000, 300_000, 20_000_000]) {
      const clock = createMediaClock(90_000);
      const jumped = 77 + jumpMicros * 0.09;
      for (let i = 0; i < 10; i++) {
        for (let k = 0; k < 30; k++) packet(clock, i * 1_000_000 + k * 33_000, 20_000, even, 77);
        report(clock, i * 1_000_000, 20_000, even, 77);
      }
      for (let k = 0; k < 30; k++) packet(clock, 10_000_000 + k * 33_000, 20_000, even, jumped);
      report(clock, 11_000_000, 20_000, even, jumped);
      expect(Math.abs(aheadBy(clock, 11_500_000, 20_000, even, jumped))).toBeLessThan(MILLISECOND);
    }
  });

  it("goes by the quickest packet until there is a report", () => {
    const clock = createMediaClock(90_000);
    const delays = [900_000, 20_000, 400_000, 880_000];
    delays.forEach((delay, i) => {
      packet(clock, i * 33_000, delay, even, 5);
    });
    expect(Math.abs(aheadBy(clock, 1_000_000, 20_000, even, 5))).toBeLessThan(50);
  });

  it("keeps up with a publisher that drifts, jumps and never reports", () => {
    for (const jump of [-(2 ** 30), 2 ** 30]) {
      const clock = createMediaClock(48_000);
      const slow = { skew: 0, driftPpm: -200 };
      for (let i = 0; i < 3_000; i++) {
        packet(clock, i * 20_000, 20_000, slow, 0);
        if (i > 0) expect(Math.abs(aheadBy(clock, i * 20_000 + 20_000, 20_000, slow, 0))).toBeLessThan(2 * MILLISECOND);
      }
      for (let i = 3_000; i < 3_400; i++) packet(clock, i * 20_000, 20_000, slow, jump);
      expect(Math.abs(aheadBy(clock, 68_000_000, 20_000, slow, jump))).toBeLessThan(2 * MILLISECOND);
    }
  });

  it("asks nothing of packets from before a long silence", () => {
    const clock = createMediaClock(48_000);
    const slow = { skew: 0, driftPpm: -100 };
    packet(clock, 0, 20_000, slow, 0);
    packet(clock, 600_000_000, 20_000, slow, 0);
    expect(Math.abs(aheadBy(clock, 600_100_000, 20_000, slow, 0))).toBeLessThan(MILLISECOND);
  });

  it("does not follow packets whose timestamps have nothing to do with the reports", () => {
    const clock = createMediaClock(48_000);
    for (let i = 0; i < 50; i++) packet(clock, i * 20_000, 20_000, even, 2 ** 30);
    report(clock, 1_000_000, 20_000, even, 0);
    expect(clock.offset.offsetMicros).toBe(MICROS_ORIGIN - WALL + 20_000);
  });

  it("goes on from the last packet until there is a report", () => {
    const clock = createMediaClock(90_000);
    mediaClockPacket(clock, at(0), 0xffff_ffff);
    expect(mediaClockKnown(clock)).toBe(true);
    expect(mediaClockTimestampAt(clock, at(10_000))).toBe(899);
  });

  it("tells the timestamp of now from a report, less the time on the way", () => {
    const clock = createMediaClock(48_000);
    const publisher = { skew: 123_456_789, driftPpm: 0 };
    report(clock, 0, 25_000, publisher, 0xffff_fff0);
    const now = 1_025_000;
    expect(mediaClockTimestampAt(clock, at(now))).toBe(timestampAt(publisher, now - 25_000, 48_000, 0xffff_fff0));
  });

  it("follows at once when the publisher's clock is set back, with all streams and whatever is in the queue", () => {
    for (const delay of [20_000, 1_500_000]) {
      const offset = createNtpOffset();
      const sound = createMediaClock(48_000, offset);
      const picture = createMediaClock(90_000, offset);
      const publisher = { skew: 0, driftPpm: 0 };
      for (let i = 0; i < 10; i++) {
        report(sound, i * 1_000_000, 20_000, publisher, 0);
        report(picture, i * 1_000_000 + 500_000, 20_000, publisher, 0);
      }
      // The timestamps of media go on as if nothing had been: they count what was captured.
      const setBack = (clock: ReturnType<typeof createMediaClock>, time: number) => {
        const wall = publisherWall({ skew: -3_600_000_000, driftPpm: 0 }, time);
        const timestamp = timestampAt(publisher, time, clock.clockRate, 0);
        mediaClockReport(clock, at(time + delay), wallToNtpHigh(wall), wallToNtpLow(wall), timestamp);
      };
      setBack(sound, 10_000_000);
      setBack(picture, 10_500_000);
      for (const clock of [sound, picture]) {
        const truth = timestampAt(publisher, 12_000_000 - 20_000, clock.clockRate, 0);
        const off = seqDistance32(truth, mediaClockTimestampAt(clock, at(12_000_000)));
        expect(Math.abs(off / clock.clockRate)).toBeLessThan(0.002);
      }
    }
  });

  it("is not moved by a stream that stood still while time went on, as when a laptop slept", () => {
    const clock = createMediaClock(48_000);
    const publisher = { skew: 0, driftPpm: 0 };
    for (let i = 0; i < 10; i++) report(clock, i * 1_000_000, 20_000, publisher, 0);
    const before = clock.offset.offsetMicros;
    const wall = publisherWall(publisher, 100_000_000);
    const asleep = timestampAt(publisher, 10_000_000, clock.clockRate, 0);
    mediaClockReport(clock, at(100_020_000), wallToNtpHigh(wall), wallToNtpLow(wall), asleep);
    expect(Math.abs(clock.offset.offsetMicros - before)).toBeLessThanOrEqual(MILLISECOND);
    expect(mediaClockTimestampAt(clock, at(100_020_000))).toBe(asleep);
  });

  it("ignores a report without a clock", () => {
    const clock = createMediaClock(90_000);
    mediaClockReport(clock, at(0), 0, 0, 77);
    expect(mediaClockKnown(clock)).toBe(false);
    expect(clock.offset.reports).toBe(0);
  });

  it("keeps sound and picture of one participant within 1 ms of each other, whatever the path does", () => {
    const jitter = fc.array(fc.nat(80_000), { minLength: 40, maxLength: 40 });
    const clocks = fc.record({
      skew: fc.integer({ min: -(10 ** 9), max: 10 ** 9 }),
      driftPpm: fc.integer({ min: -100, max: 100 }),
    });
    fc.assert(
      fc.property(jitter, clocks, fc.nat(0xffff_ffff), fc.nat(0xffff_ffff), (delays, publisher, audio, video) => {
        const offset = createNtpOffset();
        const sound = createMediaClock(48_000, offset);
        const picture = createMediaClock(90_000, offset);
        delays.forEach((delay, i) => {
          const time = i * 1_000_000;
          if (i % 5 === 0) report(sound, time, delay, publisher, audio);
          report(picture, time + 300_000, delay, publisher, video);
          if (i < 5) return;
          const now = time + 900_000;
          const heard = mediaClockTimestampAt(sound, at(now));
          const seen = mediaClockTimestampAt(picture, at(now));
          const heardMicros = (seqDistance32(timestampAt(publisher, now, 48_000, audio), heard) / 48_000) * 1_000_000;
          const seenMicros = (seqDistance32(timestampAt(publisher, now, 90_000, video), seen) / 90_000) * 1_000_000;
          expect(Math.abs(heardMicros - seenMicros)).toBeLessThan(MILLISECOND);
        });
      }),
    );
  });

  it("stays within 1 ms of the truth on a path of even delay", () => {
    fc.assert(
      fc.property(fc.nat(200_000), fc.integer({ min: -20, max: 20 }), fc.nat(0xffff_ffff), (delay, driftPpm, first) => {
        const publisher = { skew: 55_555, driftPpm };
        const clock = createMediaClock(90_000);
        for (let i = 0; i < 120; i++) {
          report(clock, i * 1_000_000, delay, publisher, first);
          const now = i * 1_000_000 + 700_000;
          const wrong = seqDistance32(
            timestampAt(publisher, now - delay, 90_000, first),
            mediaClockTimestampAt(clock, at(now)),
          );
          expect(Math.abs(wrong)).toBeLessThanOrEqual(90);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("never moves a stream's clock back by more than a player may hear, however late reports are", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(150_000), { minLength: 60, maxLength: 60 }), (delays) => {
        const publisher = { skew: 0, driftPpm: 0 };
        const clock = createMediaClock(48_000);
        delays.forEach((delay, i) => {
          const time = i * 1_000_000;
          const now = at(time + delay);
          const before = mediaClockTimestampAt(clock, now);
          report(clock, time, delay, publisher, 5);
          if (i < 1) return;
          expect(seqDistance32(before, mediaClockTimestampAt(clock, now))).toBeGreaterThanOrEqual(-28);
        });
      }),
    );
  });

  it("answers a number for any report that a peer can send", () => {
    const u32 = fc.nat(0xffff_ffff);
    fc.assert(
      fc.property(fc.array(fc.tuple(u32, u32, u32, fc.nat(10_000_000))), (reports) => {
        const clock = createMediaClock(90_000);
        let now = 0;
        for (const [high, low, timestamp, wait] of reports) {
          now += wait;
          mediaClockReport(clock, at(now), high, low, timestamp);
          const answer = mediaClockTimestampAt(clock, at(now + 1));
          expect(Number.isInteger(answer) && answer >= 0 && answer <= 0xffff_ffff).toBe(true);
        }
      }),
    );
  });
});
