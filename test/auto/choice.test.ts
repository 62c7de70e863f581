/** Which device programs go to, where there are several and where they fail. */

import { expect, it, vi } from "vitest";
import { Allocator } from "../../runtime/allocator.ts";
import { Choice, type Link, type Waiting } from "../../runtime/auto/choice.ts";
import type { Gpu } from "../../runtime/gpu/gpu.ts";
import { Queue } from "../../runtime/gpu/queue.ts";
import { loaded } from "../../runtime/loaded.ts";
import type { DeviceName } from "../../runtime/manifest.ts";

/** A device that opens, breaks or is missing when the test says so. */
class Device {
  broken: Error | undefined;
  readonly queue: Queue;
  open: () => void = () => {};
  refuse: (error: Error) => void = () => {};
  isAsked = false;

  constructor(name: string) {
    const opened = new Promise<Gpu>((resolve, reject) => {
      this.open = () => resolve(this.gpu());
      this.refuse = reject;
    });
    this.queue = new Queue(name, () => {
      this.isAsked = true;
      return opened;
    });
  }

  private gpu(): Gpu {
    const check = (): void => {
      if (this.broken !== undefined) throw this.broken;
    };
    const unused = (): never => {
      throw new Error("the tests have no kernels");
    };
    const memory = new Allocator(16, 16, () => {});
    return {
      memory,
      check,
      link: unused,
      enter: unused,
      submit: unused,
      write: unused,
      read: unused,
    };
  }
}

/** A program that a device has compiled when the test says so. */
class Program implements Waiting {
  readonly queues: Queue[] = [];
  compile: () => void = () => {};
  private readonly links = new Map<Queue, Link>();

  linkOn = (queue: Queue): Link => {
    const made = this.links.get(queue);
    if (made !== undefined) return made;
    this.queues.push(queue);
    const ended = new Promise<void>((resolve) => {
      this.compile = () => {
        link.state = "ready";
        resolve();
      };
    });
    const link: Link = { state: "compiling", ended };
    this.links.set(queue, link);
    return link;
  };
}

const turn = (): Promise<void> => new Promise((next) => setTimeout(next));
/** The name of a second device. */
const other = "other" as DeviceName;

it("switches once, when all programs are compiled", async () => {
  const choice = new Choice(["webgpu"]);
  const [first, second] = [new Program(), new Program()];
  const gpu = new Device("GPU");
  const devices = [{ target: "webgpu", queue: gpu.queue }] as const;
  const ready = vi.fn();
  choice.onReady(ready);
  choice.add(first, devices);
  expect(gpu.isAsked).toBe(true);
  expect([choice.current(), choice.aim()]).toEqual([undefined, gpu.queue]);
  expect(choice.report()).toMatchObject({
    inUse: "wasm",
    others: [{ target: "webgpu", why: "GPU is being opened" }],
  });
  gpu.open();
  await turn();
  expect(choice.report().others[0]?.why).toBe("GPU compiles the kernels");
  choice.add(second, devices);
  first.compile();
  await turn();
  expect(second.queues).toEqual([gpu.queue]);
  expect(choice.current()).toBeUndefined();
  expect(ready).not.toHaveBeenCalled();
  second.compile();
  await turn();
  expect(choice.current()).toBe(gpu.queue);
  expect(ready.mock.calls).toEqual([
    [
      {
        inUse: "webgpu",
        others: [{ target: "wasm", why: "GPU goes first, and is there" }],
        staying: [],
      },
    ],
  ]);
  // What comes later does not change that, and is not waited for.
  choice.add(new Program(), devices);
  expect(choice.current()).toBe(gpu.queue);
  choice.onReady(ready);
  await turn();
  expect(ready).toHaveBeenCalledTimes(2);
});

it("tries the next device where one cannot be opened, and asks for no more than it needs", async () => {
  const choice = new Choice(["webgpu", other]);
  const program = new Program();
  const [gpu, next] = [new Device("GPU"), new Device("Other")];
  choice.add(program, [
    { target: "webgpu", queue: gpu.queue },
    { target: other, queue: next.queue },
  ]);
  choice.stays("a", "webgpu", "it is too long for one");
  choice.stays("b", other, "it is too long for the other");
  expect(choice.report().staying).toEqual([{ program: "a", why: "it is too long for one" }]);
  await turn();
  expect(next.isAsked).toBe(false);
  gpu.refuse(new Error("there is no card"));
  await turn();
  expect(next.isAsked).toBe(true);
  next.open();
  await turn();
  program.compile();
  await turn();
  expect(program.queues).toEqual([next.queue]);
  expect(choice.current()).toBe(next.queue);
  const { inUse, others, staying } = choice.report();
  expect(inUse).toBe(other);
  expect(others).toContainEqual({ target: "webgpu", why: "there is no card" });
  expect(staying).toEqual([{ program: "b", why: "it is too long for the other" }]);
});

it("tries the best device first, in whatever order programs name them", async () => {
  const choice = new Choice(["webgpu", other]);
  const [gpu, next] = [new Device("GPU"), new Device("Other")];
  choice.add(new Program(), [
    { target: other, queue: next.queue },
    { target: "webgpu", queue: gpu.queue },
  ]);
  expect([gpu.isAsked, next.isAsked]).toEqual([true, false]);
  expect(choice.report().others).toEqual([
    { target: "webgpu", why: "GPU is being opened" },
    { target: other, why: "it is tried after those that go first" },
  ]);
});

it("stays on wasm where all fail, and is ready then", async () => {
  const choice = new Choice(["webgpu"]);
  const gpu = new Device("GPU");
  const devices = [{ target: "webgpu", queue: gpu.queue }] as const;
  const ready = vi.fn();
  choice.add(new Program(), devices);
  choice.onReady(ready);
  gpu.refuse(new Error("there is no card"));
  await turn();
  const report = {
    inUse: "wasm",
    others: [{ target: "webgpu", why: "there is no card" }],
    staying: [],
  };
  expect(ready.mock.calls).toEqual([[report]]);
  choice.add(new Program(), devices);
  expect(choice.report()).toEqual(report);
});

it("goes back to wasm when the device is lost, and to another device that there is", async () => {
  const choice = new Choice(["webgpu", other]);
  const [gpu, next] = [new Device("GPU"), new Device("Other")];
  const program = new Program();
  choice.add(program, [
    { target: "webgpu", queue: gpu.queue },
    { target: other, queue: next.queue },
  ]);
  gpu.open();
  await turn();
  program.compile();
  await turn();
  expect(choice.current()).toBe(gpu.queue);
  gpu.broken = new Error("it was pulled out");
  expect(choice.current()).toBeUndefined();
  expect(choice.report()).toMatchObject({ inUse: "wasm" });
  expect(choice.report().others[0]).toEqual({ target: "webgpu", why: "it was pulled out" });
  next.open();
  await turn();
  expect(choice.current()).toBe(next.queue);
  next.broken = new Error("so was this");
  await turn();
  expect(choice.current()).toBeUndefined();
  expect(choice.aim()).toBeUndefined();
});

it("takes no device that breaks while it compiles", async () => {
  const choice = new Choice(["webgpu"]);
  const gpu = new Device("GPU");
  const program = new Program();
  choice.add(program, [{ target: "webgpu", queue: gpu.queue }]);
  gpu.open();
  await turn();
  gpu.broken = new Error("it was pulled out");
  program.compile();
  await turn();
  expect(choice.current()).toBeUndefined();
  expect(choice.report().others).toEqual([{ target: "webgpu", why: "it was pulled out" }]);
});

it("reports what is loaded where nothing is for auto", async () => {
  const choice = new Choice(["webgpu"]);
  const inUse = (): string => choice.report().inUse;
  expect(inUse()).toBe("js");
  loaded.add("wasm");
  expect(inUse()).toBe("wasm");
  expect(choice.report().others[0]).toEqual({
    target: "webgpu",
    why: 'no program was compiled for it, nor for "auto"',
  });
  loaded.add("webgpu");
  expect(choice.report()).toMatchObject({
    inUse: "webgpu",
    others: [
      { target: "wasm", why: "programs run on it as well: each where it was compiled for" },
      { target: "js" },
    ],
  });
  const ready = vi.fn();
  choice.onReady(ready);
  expect(ready).not.toHaveBeenCalled();
  await turn();
  expect(ready).toHaveBeenCalledTimes(1);
});
