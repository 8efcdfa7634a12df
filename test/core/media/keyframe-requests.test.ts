import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MICROS_ORIGIN, type Micros, micros, millis, NEVER } from "../../../core/base/micros.ts";
import {
  createKeyframeRequests,
  keyframeArrived,
  keyframeDue,
  keyframeForget,
  keyframeMoot,
  keyframeNextTimeout,
  keyframeToPassOn,
  keyframeWanted,
  keyframeWantedAgain,
} from "../../../core/media/keyframe-requests.ts";
import { USUAL_TUNABLES } from "../../../core/tunables.ts";

const WAIT = USUAL_TUNABLES.keyframeRequestMicros;
const LAST = USUAL_TUNABLES.keyframeRequestLastMicros;
const AGAIN = USUAL_TUNABLES.keyframeAgainLastMicros;

/** Shorter than any wait. */
const RTT = millis(50);

function at(span: number): Micros {
  return micros(MICROS_ORIGIN + span);
}

describe("keyframe requests", () => {
  it("asks at once when somebody first wants a keyframe", () => {
    const requests = createKeyframeRequests(USUAL_TUNABLES);
    expect(keyframeDue(requests, at(0), RTT)).toBe(false);
    expect(keyframeNextTimeout(requests, RTT)).toBe(NEVER);
    keyframeWanted(requests, at(0));
    expect(keyframeDue(requests, at(0), RTT)).toBe(true);
  });

  it("asks once for a crowd", () => {
    const requests = createKeyframeRequests(USUAL_TUNABLES);
    let sent = 0;
    for (let i = 0; i < 100; i++) {
      keyframeWanted(requests, at(i));
      if (keyframeDue(requests, at(i), RTT)) sent++;
    }
    expect(sent).toBe(1);
  });

  it("asks again, more and more rarely, until a keyframe comes", () => {
    const requests = createKeyframeRequests(USUAL_TUNABLES);
    keyframeWanted(requests, at(0));
    const sentAt: number[] = [];
    for (let span = 0; span <= 16_000_000; span += 100_000) if (keyframeDue(requests, at(span), RTT)) sentAt.push(span);
    const waits = sentAt.slice(1).map((time, i) => time - sentAt[i]!);
    expect(waits).toEqual([WAIT, 2 * WAIT, 4 * WAIT, LAST, LAST, LAST]);
  });

  it("asks nobody again whose answer may be on its way, however far away he says that he is", () => {
    const far = millis(1_200);
    const timesOf = (rtt: Micros) => {
      const requests = createKeyframeRequests(USUAL_TUNABLES);
      keyframeWanted(requests, at(0));
      const sentAt: number[] = [];
      for (let span = 0; span <= 16_000_000; span += 100_000) {
        if (!keyframeDue(requests, at(span), rtt)) continue;
        sentAt.push(span);
        expect(keyframeNextTimeout(requests, rtt)).toBeGreaterThanOrEqual(at(span + Math.min(rtt, LAST)));
      }
      return sentAt;
    };
    expect(timesOf(far).slice(0, 4)).toEqual([0, far, 2 * far, 2 * far + 4 * WAIT]);
    expect(timesOf(millis(60_000)).slice(0, 3)).toEqual([0, LAST, 2 * LAST]);
  });

  it("asks for somebody who comes behind a keyframe as soon as ever, however far away that comes from", () => {
    const requests = createKeyframeRequests(USUAL_TUNABLES);
    keyframeWanted(requests, at(0));
    keyframeDue(requests, at(0), LAST);
    keyframeArrived(requests, at(1));
    keyframeWanted(requests, at(2));
    expect(keyframeNextTimeout(requests, LAST)).toBe(at(WAIT));
  });

  it("stops asking when a keyframe has come", () => {
    const requests = createKeyframeRequests(USUAL_TUNABLES);
    keyframeWanted(requests, at(0));
    keyframeDue(requests, at(0), RTT);
    keyframeArrived(requests, at(1));
    expect(keyframeNextTimeout(requests, RTT)).toBe(NEVER);
    expect(keyframeDue(requests, at(2 * LAST), RTT)).toBe(false);
  });

  it("lets a wish right after a keyframe wait for its turn, and then grants it", () => {
    const requests = createKeyframeRequests(USUAL_TUNABLES);
    keyframeWanted(requests, at(0));
    keyframeDue(requests, at(0), RTT);
    keyframeArrived(requests, at(1));
    keyframeWanted(requests, at(2));
    expect(keyframeDue(requests, at(2), RTT)).toBe(false);
    expect(keyframeNextTimeout(requests, RTT)).toBe(at(WAIT));
    expect(keyframeDue(requests, at(WAIT), RTT)).toBe(true);
  });

  it("waits the short time again after an answer", () => {
    const requests = createKeyframeRequests(USUAL_TUNABLES);
    keyframeWanted(requests, at(0));
    for (let span = 0; span < 60 * LAST; span += WAIT) keyframeDue(requests, at(span), RTT);
    keyframeArrived(requests, at(60 * LAST));
    keyframeWanted(requests, at(60 * LAST));
    keyframeDue(requests, at(60 * LAST + WAIT), RTT);
    expect(keyframeNextTimeout(requests, RTT)).toBe(at(60 * LAST + 2 * WAIT));
  });

  it("forgets the wish when told to", () => {
    const requests = createKeyframeRequests(USUAL_TUNABLES);
    keyframeWanted(requests, at(0));
    keyframeForget(requests);
    expect(keyframeDue(requests, at(LAST), RTT)).toBe(false);
  });

  /** When requests go out while every keyframe comes at once and somebody wants another at once, for so long. */
  function storm(requests: ReturnType<typeof createKeyframeRequests>, from: number, until: number): number[] {
    const sentAt: number[] = [];
    for (let span = from; span <= until; span += 20_000) {
      keyframeWantedAgain(requests, at(span));
      if (!keyframeDue(requests, at(span), RTT)) continue;
      sentAt.push(span);
      keyframeArrived(requests, at(span));
    }
    return sentAt;
  }

  it("grants wishes more and more rarely when the keyframes that come bring nothing", () => {
    const sentAt = storm(createKeyframeRequests(USUAL_TUNABLES), 0, 8_000_000);
    const waits = sentAt.slice(1).map((time, i) => time - sentAt[i]!);
    expect(waits).toEqual([WAIT, 2 * WAIT, AGAIN, AGAIN, AGAIN]);
  });

  it("does not let those who have yet to begin wait for those who ask again and again", () => {
    const requests = createKeyframeRequests(USUAL_TUNABLES);
    const last = storm(requests, 0, 8_000_000).at(-1)!;
    keyframeWantedAgain(requests, at(last + WAIT - 1));
    expect(keyframeDue(requests, at(last + WAIT), RTT)).toBe(false);
    keyframeWanted(requests, at(last + WAIT));
    expect(keyframeDue(requests, at(last + WAIT), RTT)).toBe(true);
  });

  it("passes each wish on once and at once, and again while no keyframe comes", () => {
    const requests = createKeyframeRequests(USUAL_TUNABLES);
    expect(keyframeToPassOn(requests, at(0))).toBe(false);
    keyframeWantedAgain(requests, at(0));
    expect([keyframeToPassOn(requests, at(0)), keyframeToPassOn(requests, at(1))]).toEqual([true, false]);
    keyframeWantedAgain(requests, at(2));
    expect(keyframeToPassOn(requests, at(2))).toBe(false);
    // That somebody wants one to begin with is news.
    keyframeWanted(requests, at(3));
    expect([keyframeToPassOn(requests, at(3)), keyframeToPassOn(requests, at(4))]).toEqual([true, false]);
    expect(keyframeToPassOn(requests, at(3 + WAIT))).toBe(true);
    keyframeArrived(requests, at(4 + WAIT));
    keyframeWantedAgain(requests, at(5 + WAIT));
    expect(keyframeToPassOn(requests, at(5 + WAIT))).toBe(true);
  });

  it("asks a layer that comes and goes no faster than one that stays, while no keyframe of it comes", () => {
    const requests = createKeyframeRequests(USUAL_TUNABLES);
    const sentAt: number[] = [];
    for (let span = 0; span <= 12_000_000; span += 100_000) {
      if (span % 700_000 < 300_000) keyframeMoot(requests);
      else keyframeWanted(requests, at(span));
      if (keyframeDue(requests, at(span), RTT)) sentAt.push(span);
    }
    const waits = sentAt.slice(1).map((time, i) => time - sentAt[i]!);
    expect(waits).toEqual([expect.any(Number), expect.any(Number), expect.any(Number), expect.any(Number)]);
    for (const [i, wait] of waits.entries()) expect(wait).toBeGreaterThanOrEqual(Math.min(WAIT * 2 ** i, LAST));
  });

  it("asks at once, and again as soon as at first, when a layer is back after a calm", () => {
    const requests = createKeyframeRequests(USUAL_TUNABLES);
    keyframeWanted(requests, at(0));
    for (let span = 0; span <= 6 * LAST; span += WAIT) keyframeDue(requests, at(span), RTT);
    keyframeMoot(requests);
    const back = 12 * LAST;
    keyframeWanted(requests, at(back));
    expect([back, back + WAIT - 1, back + WAIT].map((span) => keyframeDue(requests, at(span), RTT))).toEqual([
      true,
      false,
      true,
    ]);
  });

  it("passes a wish on anew when the one before has come to nothing", () => {
    const requests = createKeyframeRequests(USUAL_TUNABLES);
    keyframeWanted(requests, at(0));
    keyframeToPassOn(requests, at(0));
    keyframeMoot(requests);
    expect(keyframeToPassOn(requests, at(LAST))).toBe(false);
    keyframeWanted(requests, at(LAST + 1));
    expect(keyframeToPassOn(requests, at(LAST + 1))).toBe(true);
  });

  it("grants wishes as quickly as ever after a calm", () => {
    const requests = createKeyframeRequests(USUAL_TUNABLES);
    const last = storm(requests, 0, 8_000_000).at(-1)!;
    const [first, second] = storm(requests, last + 4 * AGAIN, last + 8 * AGAIN);
    expect([first, second]).toEqual([last + 4 * AGAIN, last + 4 * AGAIN + WAIT]);
  });

  it("never loses a wish, never asks unasked, and never asks too often", () => {
    const step = fc.record({
      wait: fc.nat(900_000),
      action: fc.constantFrom("want", "want again", "arrive", "moot", "look"),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
        const requests = createKeyframeRequests(USUAL_TUNABLES);
        let wantedSince = -1;
        let sentAt = -LAST;
        let now = 0;
        for (const { wait, action } of steps) {
          now += wait;
          if (action.startsWith("want") && wantedSince < 0) wantedSince = now;
          if (action === "want") keyframeWanted(requests, at(now));
          if (action === "want again") keyframeWantedAgain(requests, at(now));
          if (action === "arrive") keyframeArrived(requests, at(now));
          if (action === "moot") keyframeMoot(requests);
          if (action === "arrive" || action === "moot") wantedSince = -1;
          const due = keyframeDue(requests, at(now), RTT);
          if (due) {
            expect(wantedSince).toBeGreaterThanOrEqual(0);
            expect(now - sentAt).toBeGreaterThanOrEqual(WAIT);
            sentAt = now;
          } else if (wantedSince >= 0) {
            expect(now - sentAt).toBeLessThan(LAST);
          }
          expect(keyframeNextTimeout(requests, RTT) > at(now)).toBe(true);
        }
      }),
    );
  });
});
