/** Elements on a device that answers later, and elements that are still being computed. */

import { bytesPerElement, type TypedArray } from "./arrays.ts";
import type { DType } from "./manifest.ts";
import { emptied, pool, type Remote, type Storage, storageOf } from "./storage.ts";

/** Storage on a device. */
export function onRemote(dtype: DType, length: number, remote: Remote): Storage {
  return place(storageOf(dtype, length), remote);
}

/** Elements that are on a device too from now on. */
export function addRemote(handle: object, storage: Storage, remote: Remote): void {
  place(storage, remote);
  pool.trackRemote(handle, remote);
}

function place(storage: Storage, remote: Remote): Storage {
  storage.remote = remote;
  storage.weight = new ArrayBuffer(storage.length * bytesPerElement(storage.dtype));
  storage.gone ??=
    `this tensor is on ${remote.device}, which answers later: take its elements by ` +
    "`await x.data()`, or compile what uses it for the same target";
  return storage;
}

/** Storage of elements that the host will have; whoever reads them learns why there are none. */
export function onHostLater(dtype: DType, length: number, awaited: Promise<TypedArray>): Storage {
  const storage = storageOf(dtype, length);
  storage.awaited = awaited;
  storage.gone =
    "the elements of this tensor are not there yet: take them by `await x.data()`, or compile " +
    'what uses it with target: "auto"';
  const arrived = (data: TypedArray): void => {
    if (storage.awaited !== awaited) return;
    storage.host = data;
    storage.awaited = undefined;
  };
  awaited.then(arrived, () => {});
  return storage;
}

/** As `Pool.moved`, of elements that a program writes on a device. */
export function movedOnRemote(storage: Storage): Storage {
  const { dtype, length, block, remote, weight, gone } = storage;
  if (remote !== undefined) pool.forget(remote);
  if (block !== undefined) pool.releaseBlock(block);
  Object.assign(storage, emptied);
  return { ...storageOf(dtype, length), remote, weight, gone };
}
