// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Glibc

/// A point that a job and its test reach together: a named pipe, opening which waits for the other side.
struct Meeting: ~Copyable {
  let path: String
  private let folder: String

  init() {
    var template = Array("/tmp/pebble-test-XXXXXX".utf8CString)
    folder = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    path = folder + "/pipe"
    mkfifo(path, 0o600)
  }

  deinit {
    unlink(path)
    rmdir(folder)
  }

  /// Waits for the job to arrive.
  func wait() {
    close(open(path, O_RDONLY))
  }

  /// Waits for a job to arrive that another task has still to schedule.
  func arrival() async { await Self.arrival(at: path) }

  static func arrival(at path: String) async {
    await withCheckedContinuation { continuation in
      DispatchQueue(label: "meeting").async {
        close(open(path, O_RDONLY))
        continuation.resume()
      }
    }
  }

  /// In the job: waits for the test to arrive.
  static func arrive(at path: String) {
    close(open(path, O_WRONLY))
  }
}
