/** WebGPU's flags as numbers: the global objects that hold them are missing in Node. */
export const BufferUsage = {
  mapRead: 0x1,
  copySource: 0x4,
  copyTarget: 0x8,
  uniform: 0x40,
  storage: 0x80,
} as const;
export const MAP_FOR_READING = 1;
export const COMPUTE_STAGE = 4;
