/** How an entry is started: what the compiler writes into it, and the runtime keeps to. */

/** Words of the uniform window of a launch, and those in front of the parameters. */
export const windowWords = 256;
export const firstParameter = 4;
/** Threads of a workgroup, and the most workgroups along x. */
export const groupSize = 64;
export const mostGroups = 65535;

// WebGL

/** Words of a row of the memory, which is a texture: 2^rowBits. */
export const rowBits = 14;
