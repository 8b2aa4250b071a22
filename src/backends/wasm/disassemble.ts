export const disassemble = (bytes: Uint8Array): string => String(bytes.length);
