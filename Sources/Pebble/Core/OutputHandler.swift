// SPDX-License-Identifier: Apache-2.0
internal import CPebble

/// What is called for each line that the workers of a pool write.
final class OutputHandler: Sendable {
  private let body: @Sendable (WorkerLine) -> Void

  init(_ body: @escaping @Sendable (WorkerLine) -> Void) {
    self.body = body
  }

  /// Not retained: the pool's handle keeps it until the pool has come to rest.
  func install(in config: inout pebble_pool_config) {
    config.output_arg = Unmanaged.passUnretained(self).toOpaque()
    config.on_output = { line, argument in
      Unmanaged<OutputHandler>.fromOpaque(argument!).takeUnretainedValue().body(WorkerLine(line.pointee))
    }
  }
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
