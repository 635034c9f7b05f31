// SPDX-License-Identifier: Apache-2.0
internal import CPebble
internal import Dispatch

/// What is called for each line that the workers of a pool write.
final class OutputHandler: Sendable {
  private let body: @Sendable (WorkerLine) -> Void

  init(_ body: @escaping @Sendable (WorkerLine) -> Void) {
    self.body = body
  }

  /// Not retained: the owner keeps it until the pool has come to rest.
  func install(in config: inout pebble_pool_config) {
    config.output_arg = Unmanaged.passUnretained(self).toOpaque()
    config.on_output = { line, argument in
      Unmanaged<OutputHandler>.fromOpaque(argument!).takeUnretainedValue().body(WorkerLine(line.pointee))
    }
  }

  /// Gives a pool back which may still have lines for this.
  func drop(_ pool: OpaquePointer) {
    pebble_pool_stop(pool)
    let remains = Remains(pool: pool, handler: self)
    DispatchQueue(label: "pebble.join").async {
      pebble_pool_join(remains.pool, .max)
      pebble_pool_unref(remains.pool)
    }
  }
}

/// `@unchecked Sendable`: the C object is safe to use from any thread.
private struct Remains: @unchecked Sendable {
  let pool: OpaquePointer
  let handler: OutputHandler
}

extension WorkerLine {
  fileprivate init(_ line: pebble_output_line) {
    stream = line.stream == 1 ? .standardOutput : .standardError
    processID = line.pid
    job = String(cString: line.job)
    bytes = Array(UnsafeRawBufferPointer(start: line.text, count: line.length))
    isPartial = line.partial
  }
}

extension pebble_output {
  init(_ output: WorkerOutput) {
    switch output {
    case .inherit: self = PEBBLE_INHERIT
    case .discard: self = PEBBLE_DISCARD
    case .capture: self = PEBBLE_CAPTURE
    }
  }
}
