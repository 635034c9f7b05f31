// SPDX-License-Identifier: Apache-2.0
internal import CPebble

/// What `@SignalHandler` expands to. For the macro.
public enum _SignalHandlers {
  /// Has a handler called for as long as the process lives, on a thread of its own; not in worker processes.
  ///
  /// Runs before `main`, and before a Swift runtime that is linked statically is ready: it calls C and nothing else.
  public static func declare(_ signal: Int32, _ handler: @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void) {
    _ = pebble_signal_declare(signal, handler)
  }
}
