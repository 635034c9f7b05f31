// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble

@ConcurrentProcess(timeout: .seconds(10))
func checksum(_ bytes: [UInt8], seed: Int = 0) async throws -> Int {
  bytes.reduce(seed) { ($0 &* 31 &+ Int($1)) % 65_521 }
}

@ConcurrentProcess
func square(_ n: Int) -> ProcessFuture<Int> {
  n * n
}

let decoders = try! ProcessPool(.init(maxWorkers: 2, name: "decoders"))

struct Picture: Codable {
  let width: Int
  let height: Int

  @ConcurrentProcess(timeout: .seconds(1), pool: decoders)
  func area() async throws -> Int {
    width * height
  }
}

@ConcurrentThread(timeout: .seconds(10))
func lineCount(ofFile path: String) async throws -> Int {
  guard let file = fopen(path, "re") else { return 0 }
  defer { fclose(file) }
  var count = 0
  while case let byte = fgetc(file), byte != EOF { count += byte == 10 ? 1 : 0 }
  return count
}

nonisolated(unsafe) var journal: [String] = []

@Synchronized
func note(_ line: String) {
  journal.append(line)
}

func decorators() async throws {
  print("checksum:", try await checksum([1, 2, 3]))
  let future = square(12)
  print("square:", try await future.value)
  print("area:", try await Picture(width: 3, height: 4).area())
  print("lines:", try await lineCount(ofFile: "/dev/null"))
  await withTaskGroup { group in
    for n in 0..<100 { group.addTask { note("\(n)") } }
  }
  print("notes:", journal.count)
  decoders.close()
  try await decoders.joined()
}
