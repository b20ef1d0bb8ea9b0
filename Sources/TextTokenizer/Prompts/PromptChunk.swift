/// What a text encoder takes at once: the ids between two markers, filled up to one length, each with a weight.
public struct PromptChunk: Sendable, Hashable {
  /// `[length]`: the start marker, the tokens, the end marker, the pad id.
  public let ids: [Int]
  /// `[length]`: the weight of each; 1 for the markers and the filling.
  public let weights: [Double]
  /// The number of tokens between the markers.
  public let count: Int
}

extension CLIPTokenizer {
  /// Cuts a prompt into chunks of `length - 2` tokens, each with its own markers, as AUTOMATIC1111's web UI does.
  ///
  /// A text of one weight is tokenized for itself. `BREAK` starts a new chunk. A placeholder of several vectors goes to the
  /// next chunk whole, unless it is longer than one. An empty prompt is one chunk.
  ///
  /// - Parameters:
  ///   - length: the encoder's, three or more.
  ///   - commaBacktracking: where a chunk is full and a comma stands among its last tokens, so many at most, what is behind
  ///     the comma goes to the next chunk. 20 is AUTOMATIC1111's; 0 fills every chunk, as compel and diffusers do.
  public func chunks(
    of prompt: WeightedPrompt, length: Int = 77, commaBacktracking: Int = 20
  ) -> [PromptChunk] {
    var builder = ChunkBuilder(
      tokenizer: self, capacity: max(1, length - 2), backtracking: commaBacktracking)
    for part in prompt.parts {
      switch part {
      case .chunkBreak: builder.close()
      case .text(let text, let weight):
        for piece in pieces(of: text) {
          if piece.isAdded {
            builder.append(placeholder: piece.ids, weight)
          } else {
            for id in piece.ids { builder.append(id, weight) }
          }
        }
      }
    }
    return builder.finished()
  }
}

/// Fills one chunk after the other.
private struct ChunkBuilder {
  let tokenizer: CLIPTokenizer
  let capacity: Int
  let backtracking: Int
  private let comma: Int?
  private var chunks: [PromptChunk] = []
  private var tokens: [(id: Int, weight: Double)] = []
  /// The place of the last comma in this chunk.
  private var lastComma: Int?

  init(tokenizer: CLIPTokenizer, capacity: Int, backtracking: Int) {
    (self.tokenizer, self.capacity, self.backtracking) = (tokenizer, capacity, backtracking)
    comma = tokenizer.vocabulary.ids[",</w>"]
  }

  mutating func append(_ id: Int, _ weight: Double) {
    let isComma = id == comma
    if tokens.count == capacity { closeFull(before: isComma) }
    if isComma { lastComma = tokens.count }
    tokens.append((id, weight))
  }

  mutating func append(placeholder ids: [Int], _ weight: Double) {
    if tokens.count + ids.count > capacity && !tokens.isEmpty {
      closeFull(before: false)
      if tokens.count + ids.count > capacity && !tokens.isEmpty { close() }
    }
    for id in ids {
      if tokens.count == capacity { close() }
      tokens.append((id, weight))
    }
  }

  /// Closes a full chunk; what stands behind a late comma moves on, unless a comma follows.
  private mutating func closeFull(before comma: Bool) {
    var rest: ArraySlice<(id: Int, weight: Double)> = []
    if !comma, tokens.count == capacity, let lastComma, capacity - lastComma <= backtracking {
      rest = tokens[(lastComma + 1)...]
      tokens.removeLast(rest.count)
    }
    close()
    tokens = Array(rest)
  }

  mutating func close() {
    let vocabulary = tokenizer.vocabulary
    let padding = capacity - tokens.count
    chunks.append(
      PromptChunk(
        ids: [vocabulary.startID] + tokens.map(\.id) + [vocabulary.endID]
          + [Int](repeating: tokenizer.padID, count: padding),
        weights: [1] + tokens.map(\.weight) + [Double](repeating: 1, count: padding + 1),
        count: tokens.count))
    tokens = []
    lastComma = nil
  }

  mutating func finished() -> [PromptChunk] {
    if !tokens.isEmpty || chunks.isEmpty { close() }
    return chunks
  }
}
