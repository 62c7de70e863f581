/** Ends a run of the tests with a plain line of totals. */

import type { Reporter, TestModule } from "vitest/node";

export default class Totals implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    let passed = 0;
    let failed = 0;
    for (const testModule of modules) {
      if (testModule.errors().length > 0) failed++;
      for (const test of testModule.children.allTests()) {
        if (test.result().state === "passed") passed++;
        else failed++;
      }
    }
    console.log(`${passed} passed, ${failed} failed`);
  }
}
