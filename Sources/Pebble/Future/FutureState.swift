// SPDX-License-Identifier: Apache-2.0

/// What a future's job is doing.
public enum FutureState: Sendable {
  /// It waits for a worker.
  case pending
  /// A worker has begun it.
  case running
  /// It has its outcome.
  case done
}
