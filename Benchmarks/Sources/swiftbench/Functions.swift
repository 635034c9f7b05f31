// SPDX-License-Identifier: Apache-2.0
import CBench
import Glibc
import Pebble

/// What the workers run.
enum Functions {
  static let nothing = ProcessFunction(doNothing) { ProcessCall($0).run(doNothing) }
  static let same = ProcessFunction(giveBack) { ProcessCall($0).run(giveBack) }
  static let bytes = ProcessFunction(giveBytesBack) { ProcessCall($0).run(giveBytesBack) }
  static let hang = ProcessFunction(sleepForEver) { ProcessCall($0).run(sleepForEver) }
  static let crash = ProcessFunction(die) { ProcessCall($0).run(die) }
  static let pid = ProcessFunction(tellPID) { ProcessCall($0).run(tellPID) }
  static let compute = ProcessFunction(computeFor) { ProcessCall($0).run(computeFor) }
}

func doNothing() {}

func giveBack(_ number: Int) -> Int { number }

func giveBytesBack(_ bytes: [UInt8]) -> [UInt8] { bytes }

func sleepForEver(_ number: Int) {
  try? sendUpdate(number)
  while true { pause() }
}

func die() {
  kill(getpid(), SIGKILL)
  pause()
}

func tellPID() -> Int32 { getpid() }

func computeFor(_ nanoseconds: Int64) {
  let end = bench_now() + nanoseconds
  while bench_now() < end {}
}

func moveToOtherCPU() { bench_pin(1) }
