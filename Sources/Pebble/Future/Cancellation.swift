// SPDX-License-Identifier: Apache-2.0

/// What cancelling a job found.
public enum Cancellation: Sendable {
  /// It was waiting, and will never run.
  case neverStarted
  /// It was running; its worker is being killed.
  case wasRunning
  /// It has its outcome already, which stays.
  case tooLate
}
