/**
 * The dependency descriptor, a header extension that says what a frame is and what it needs (AV1 RTP §A.8).
 *
 *      0                   1                   2
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3
 *     |S|E|template id|         frame number          |   then, on longer ones, the extended fields
 *
 * S and E mark the first and last packet of the frame. The template, an entry of a table that a keyframe's descriptor
 * brings along, tells the layer. {@link descriptorCheck} wants the three bytes above; after it no accessor can fail.
 * {@link descriptorReadStructure} opens a table: layers and, when given, sizes. Which earlier frames a frame needs, its
 * chains and its decode targets are walked over, not kept: whole spatial and temporal layers are what is chosen here.
 */
import { readU16, writeU16 } from "../base/bytes.ts";
import { type BitReader, createBitReader, readBit, readBits, readNonSymmetric, skipBits } from "./bits.ts";

/** Bytes of a descriptor without extended fields. */
export const DESCRIPTOR_MANDATORY_BYTES = 3;

/** Templates that a table holds at most: a template id has six bits. */
export const DESCRIPTOR_TEMPLATES_MAX = 64;

const START_BIT = 0x80;
const END_BIT = 0x40;
const TEMPLATE_ID_BITS = 0x3f;
const STRUCTURE_BIT = 0x80;

const NEXT_TEMPORAL = 1;
const NEXT_SPATIAL = 2;
const NO_MORE_TEMPLATES = 3;
const SPATIAL_LAYERS_MAX = 4;
const TEMPORAL_LAYERS_MAX = 8;

/** The table that a keyframe's descriptor carries. */
export interface DependencyStructure {
  /** The id of the first template; the next ones count up, modulo 64. */
  templateIdOffset: number;
  /** Decode targets, 1 to 32. */
  decodeTargetCount: number;
  /** Spatial layer of each template, 0 to 3. */
  spatialIds: number[];
  /** Temporal layer of each template, 0 to 7. */
  temporalIds: number[];
  /** Width << 16 | height of each spatial layer; empty when the table names no sizes. */
  sizes: number[];
}

/** Whether `length` bytes are enough for a descriptor. */
export function descriptorCheck(length: number): boolean {
  return length >= DESCRIPTOR_MANDATORY_BYTES;
}

/** Whether the packet is the first of its frame. */
export function descriptorStartsFrame(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset]! & START_BIT) !== 0;
}

/** Whether the packet is the last of its frame. */
export function descriptorEndsFrame(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset]! & END_BIT) !== 0;
}

/** The frame's template, 0 to 63. */
export function descriptorTemplateId(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! & TEMPLATE_ID_BITS;
}

/** The frame's number, 0 to 65535; each spatial layer of a picture is a frame of its own. */
export function descriptorFrameNumber(bytes: Uint8Array, offset: number): number {
  return readU16(bytes, offset + 1);
}

/** Puts the low 16 bits of `frameNumber` into the descriptor. */
export function descriptorPatchFrameNumber(bytes: Uint8Array, offset: number, frameNumber: number): void {
  writeU16(bytes, offset + 1, frameNumber);
}

/** Whether the descriptor carries a template table, as the first packet of a keyframe does. */
export function descriptorHasStructure(bytes: Uint8Array, offset: number, length: number): boolean {
  return length > DESCRIPTOR_MANDATORY_BYTES && (bytes[offset + DESCRIPTOR_MANDATORY_BYTES]! & STRUCTURE_BIT) !== 0;
}

/** The table in the descriptor, or `undefined` when it has none or it is malformed. */
export function descriptorReadStructure(
  bytes: Uint8Array,
  offset: number,
  length: number,
): DependencyStructure | undefined {
  if (!descriptorHasStructure(bytes, offset, length)) return undefined;
  const reader = createBitReader(bytes, offset + DESCRIPTOR_MANDATORY_BYTES, length - DESCRIPTOR_MANDATORY_BYTES);
  skipBits(reader, 5);
  const structure: DependencyStructure = {
    templateIdOffset: readBits(reader, 6),
    decodeTargetCount: readBits(reader, 5) + 1,
    spatialIds: [],
    temporalIds: [],
    sizes: [],
  };
  if (!readTemplateLayers(reader, structure)) return undefined;
  const templates = structure.spatialIds.length;
  skipBits(reader, 2 * templates * structure.decodeTargetCount);
  skipFrameDifferences(reader, templates);
  skipChains(reader, templates, structure.decodeTargetCount);
  if (readBit(reader) === 1) readSizes(reader, structure);
  return reader.overrun ? undefined : structure;
}

/** The index of a template id in the table, or -1 when the table has no such template. */
export function descriptorTemplateIndex(structure: DependencyStructure, templateId: number): number {
  const index = (templateId - structure.templateIdOffset) & TEMPLATE_ID_BITS;
  return index < structure.spatialIds.length ? index : -1;
}

/** `template_layers()`, AV1 RTP §A.8.2: each template says how the layer of the next one differs. */
function readTemplateLayers(reader: BitReader, structure: DependencyStructure): boolean {
  let spatial = 0;
  let temporal = 0;
  for (;;) {
    if (structure.spatialIds.length === DESCRIPTOR_TEMPLATES_MAX) return false;
    structure.spatialIds.push(spatial);
    structure.temporalIds.push(temporal);
    const next = readBits(reader, 2);
    if (reader.overrun) return false;
    if (next === NO_MORE_TEMPLATES) return true;
    if (next === NEXT_TEMPORAL) temporal++;
    if (next === NEXT_SPATIAL) {
      temporal = 0;
      spatial++;
    }
    if (spatial >= SPATIAL_LAYERS_MAX || temporal >= TEMPORAL_LAYERS_MAX) return false;
  }
}

function skipFrameDifferences(reader: BitReader, templates: number): void {
  for (let i = 0; i < templates; i++) {
    while (readBit(reader) === 1) skipBits(reader, 4);
  }
}

function skipChains(reader: BitReader, templates: number, decodeTargets: number): void {
  const chains = readNonSymmetric(reader, decodeTargets + 1);
  if (chains === 0) return;
  for (let i = 0; i < decodeTargets; i++) readNonSymmetric(reader, chains);
  skipBits(reader, 4 * templates * chains);
}

function readSizes(reader: BitReader, structure: DependencyStructure): void {
  const layers = structure.spatialIds.at(-1)! + 1;
  for (let i = 0; i < layers; i++) {
    const width = Math.min(readBits(reader, 16) + 1, 0x7fff);
    const height = Math.min(readBits(reader, 16) + 1, 0xffff);
    structure.sizes.push((width << 16) | height);
  }
}
