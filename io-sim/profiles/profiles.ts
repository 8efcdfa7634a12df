/**
 * All profiles by name: the access networks that people have, as far as the simulator knows them.
 *
 * A story says `link: profile("lte")`. The numbers with their origins stand in the files beside this one.
 */
import type { Profile } from "./profile.ts";
import { GEO, LEO } from "./satellite.ts";
import { AWFUL, CABLE_BLOAT, CGNAT, CORPORATE, DSL, FIBER, POLICED, VPN } from "./wired.ts";
import { FIVE_G, LTE, LTE_DRIVE, THREE_G, WIFI_BUSY, WIFI_GOOD, WIFI_POOR, WIFI_ROAM } from "./wireless.ts";

/** The name of a profile. */
export type ProfileName =
  | "fiber"
  | "cable-bloat"
  | "dsl"
  | "wifi-good"
  | "wifi-poor"
  | "wifi-busy"
  | "wifi-roam"
  | "lte"
  | "lte-drive"
  | "3g"
  | "5g"
  | "leo"
  | "geo"
  | "corporate"
  | "vpn"
  | "cgnat"
  | "policed"
  | "awful";

/** All profiles. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  fiber: FIBER,
  "cable-bloat": CABLE_BLOAT,
  dsl: DSL,
  "wifi-good": WIFI_GOOD,
  "wifi-poor": WIFI_POOR,
  "wifi-busy": WIFI_BUSY,
  "wifi-roam": WIFI_ROAM,
  lte: LTE,
  "lte-drive": LTE_DRIVE,
  "3g": THREE_G,
  "5g": FIVE_G,
  leo: LEO,
  geo: GEO,
  corporate: CORPORATE,
  vpn: VPN,
  cgnat: CGNAT,
  policed: POLICED,
  awful: AWFUL,
};
