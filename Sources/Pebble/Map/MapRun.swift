// SPDX-License-Identifier: Apache-2.0

/// One iteration of a map, whatever its pool is.
protocol MapIteration<Value>: AnyObject {
  associatedtype Value: Sendable

  /// The next element's outcome, nil at the end.
  func next(isolation: isolated (any Actor)?) async -> Result<Value, any Error>?

  /// Gives up what was not handed out.
  func cancel()
}

/// One iteration of a map: takes inputs, keeps a window of chunks in the pool, hands out results.
final class MapRun<Input, Value: Sendable>: MapIteration {
  typealias Element = MapWindow<Input, Value>.Chunk.Element

  private let window: MapWindow<Input, Value>
  private let nextInput: (() -> Element?)?
  private var ready: [Result<Value, any Error>] = []  // of one chunk, last element first

  /// - Parameter nextInput: the inputs; nil when something else feeds the window.
  init(_ window: MapWindow<Input, Value>, nextInput: (() -> Element?)? = nil) {
    self.window = window
    self.nextInput = nextInput
  }

  deinit {
    window.cancel()
  }

  func cancel() { window.cancel() }

  func next(isolation: isolated (any Actor)?) async -> Result<Value, any Error>? {
    while true {
      if let result = ready.popLast() { return result }
      if Task.isCancelled { window.cancel() }
      fillWindow()
      guard let chunk = await window.take(isolation: isolation) else { return nil }
      ready = await chunk.results(isolation: isolation).reversed()
      window.finish(chunk)
    }
  }

  private func fillWindow() {
    guard let nextInput else { return }
    while let size = window.nextSize {
      var elements: [Element] = []
      while elements.count < size, let input = nextInput() { elements.append(input) }
      let isEnd = elements.count < size
      if !elements.isEmpty { window.add(MapChunk(elements, window.plan)) }
      if isEnd { window.end() }
    }
  }
}

extension MapWindow {
  /// Takes all of the inputs. An error that they throw becomes the last element's.
  func take<Inputs: AsyncSequence & Sendable>(
    _ inputs: Inputs, _ prepare: @Sendable (Inputs.Element) throws -> Input
  ) async {
    var elements: [Chunk.Element] = []
    do {
      var iterator = inputs.makeAsyncIterator()
      while let size = await waitForRoom() {
        while elements.count < size, let input = try await iterator.next() {
          elements.append(Result { try prepare(input) })
        }
        if elements.count < size { break }
        add(MapChunk(elements, plan))
        elements = []
      }
    } catch {
      elements.append(.failure(error))
    }
    if !elements.isEmpty { add(MapChunk(elements, plan)) }
  }
}
