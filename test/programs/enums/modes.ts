export enum Shared {
  Low = -1,
  High = 10,
}
export const enum Inlined {
  One = 1,
  Two,
}
