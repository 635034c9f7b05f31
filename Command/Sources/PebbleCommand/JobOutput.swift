// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Synchronization

/// How what the commands write is put out.
enum OutputOrder {
  /// Each command's together, when it is done.
  case grouped
  /// The same, in the order of the lines.
  case ordered
  /// Each line as it comes.
  case live
}

/// Puts out what the commands write.
///
/// The job of line `n` is called "n ...", by which what it wrote is recognised.
final class JobOutput: Sendable {
  private struct State {
    var held: [Int: HeldOutput] = [:]
    var finished: Set<Int> = []
    /// The first line, in order, that was not put out.
    var next = 1
  }

  private let console: Console
  private let order: OutputOrder
  private let tagged: Bool
  private let state = Mutex(State())

  init(console: Console, order: OutputOrder, tagged: Bool) {
    self.console = console
    self.order = order
    self.tagged = tagged
  }

  /// Takes a line that a worker wrote.
  func take(_ line: WorkerLine) {
    guard let (number, tag) = Self.parse(line.job) else { return }
    let descriptor = line.stream == .standardOutput ? STDOUT_FILENO : STDERR_FILENO
    let bytes = (tagged ? Array("\(tag)\t".utf8) : []) + line.bytes + (line.isPartial ? [] : [10])
    if order == .live { return console.write(bytes, to: descriptor) }
    state.withLock { $0.held[number, default: HeldOutput()].append(bytes, to: descriptor) }
  }

  /// Forgets what an attempt wrote that is to be repeated.
  func discard(_ number: Int) {
    state.withLock { _ = $0.held.removeValue(forKey: number) }
  }

  /// Puts out what the job of a line wrote, now that it is done, or as soon as those before it are.
  func finish(_ number: Int) {
    state.withLock { state in
      if order != .ordered { return release(number, &state) }
      state.finished.insert(number)
      while state.finished.remove(state.next) != nil {
        release(state.next, &state)
        state.next += 1
      }
    }
  }

  private func release(_ number: Int, _ state: inout State) {
    state.held.removeValue(forKey: number)?.forEachPiece { console.write($0, to: $1) }
  }

  static func name(number: Int, line: String) -> String { "\(number) \(line)" }

  private static func parse(_ name: String) -> (Int, Substring)? {
    let parts = name.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let number = Int(parts[0]) else { return nil }
    return (number, parts[1])
  }
}

/// What one job wrote: in memory, and beyond a mebibyte in a temporary file.
private struct HeldOutput {
  private static let most = 1 << 20
  private var pieces: [(bytes: [UInt8], descriptor: Int32)] = []
  private var size = 0
  private var overflow: Overflow?

  mutating func append(_ bytes: [UInt8], to descriptor: Int32) {
    if overflow == nil, size + bytes.count > Self.most { overflow = Overflow() }
    if let overflow, overflow.append(bytes, to: descriptor) { return }
    size += bytes.count
    if let last = pieces.indices.last, pieces[last].descriptor == descriptor {
      pieces[last].bytes += bytes
    } else {
      pieces.append((bytes, descriptor))
    }
  }

  func forEachPiece(_ body: ([UInt8], Int32) -> Void) {
    for piece in pieces { body(piece.bytes, piece.descriptor) }
    overflow?.forEachPiece(body)
  }
}

/// Pieces of output in a file without a name: descriptor, length and bytes of each.
private final class Overflow {
  private let file: UnsafeMutablePointer<FILE>

  init?() {
    guard let file = tmpfile() else { return nil }
    self.file = file
  }

  deinit { fclose(file) }

  func append(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var head = (Int(descriptor), bytes.count)
    return fwrite(&head, MemoryLayout.size(ofValue: head), 1, file) == 1 && fwrite(bytes, bytes.count, 1, file) == 1
  }

  func forEachPiece(_ body: ([UInt8], Int32) -> Void) {
    rewind(file)
    var head = (0, 0)
    while fread(&head, MemoryLayout.size(ofValue: head), 1, file) == 1 {
      var bytes = [UInt8](repeating: 0, count: head.1)
      guard fread(&bytes, head.1, 1, file) == 1 else { return }
      body(bytes, Int32(head.0))
    }
  }
}
