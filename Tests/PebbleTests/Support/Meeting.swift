// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Glibc
import Testing

/// A point that a job and its test reach together: a named pipe, opening which waits for the test.
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
  func wait() { Self.wait(at: path) }

  /// A job that never arrives, because it could not be started, must not keep a thread of all tests for ever.
  static func wait(at path: String) {
    let pipe = open(path, O_RDONLY | O_NONBLOCK)
    defer { close(pipe) }
    var event = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
    var came: Int32
    repeat { came = poll(&event, 1, 200_000) } while came < 0 && errno == EINTR
    if came != 1 { Issue.record("no job has arrived at \(path)") }
  }

  /// Waits for a job to arrive that another task has still to schedule.
  func arrival() async { await Self.arrival(at: path) }

  static func arrival(at path: String) async {
    await withCheckedContinuation { continuation in
      DispatchQueue(label: "meeting").async {
        wait(at: path)
        continuation.resume()
      }
    }
  }

  /// In the job: waits for the test to arrive.
  static func arrive(at path: String) {
    close(open(path, O_WRONLY))
  }
}
