/// The files that a prompt names, and the prompt without what names adapters.
public struct PromptFiles: Sendable {
  /// What is to be shown.
  public private(set) var prompt: String
  /// What is not to be shown.
  public private(set) var negative: String
  /// The adapters, in the prompt's order.
  public private(set) var adapters: [LoRAFile] = []
  /// The files of learned words.
  public private(set) var words: [String] = []
  /// The folders that they are in; `nil` where nothing is of one.
  public private(set) var adapterFolder: String?, wordFolder: String?

  /// Finds them.
  ///
  /// Adapters are named by tags (``LoRATag``), in the prompt alone. Learned words are named by the words themselves, or by
  /// `embedding:NAME` as in ComfyUI.
  ///
  /// - Parameters:
  ///   - model: the model's path, beside which folders are looked for that are not given.
  ///   - adapterFolder: where adapters are.
  ///   - wordFolder: where learned words are.
  /// - Throws: ``PipelineError`` where a name is not found, with the names that there are.
  public init(
    prompt: String, negative: String = "", model: String, adapterFolder: String? = nil,
    wordFolder: String? = nil
  ) throws(PipelineError) {
    (self.prompt, self.negative) = (prompt, negative)
    let tags = try LoRATag.taken(from: &self.prompt)
    var negativeText = negative
    try ImageRequest.expect(
      "negative", try LoRATag.taken(from: &negativeText).isEmpty,
      "an adapter is named in the prompt, by <lora:NAME:WEIGHT>")
    try findAdapters(tags, NamedFiles(.adapters, given: adapterFolder, beside: model))
    try findWords(NamedFiles(.words, given: wordFolder, beside: model))
  }

  private mutating func findAdapters(
    _ tags: [LoRATag], _ files: NamedFiles?
  ) throws(PipelineError) {
    for tag in tags {
      guard let files else {
        throw .request(
          part: "prompt",
          problem: "\(tag): where is it? Give the folder of adapters by --lora-dir or "
            + "DIFFUSION_LORA_DIR, or the file by --lora")
      }
      adapters.append(
        LoRAFile(
          path: try files.path(of: tag.name, for: "\(tag)"), weight: tag.unetWeight,
          textWeight: tag.textWeight))
      adapterFolder = files.folder
    }
  }

  private mutating func findWords(_ files: NamedFiles?) throws(PipelineError) {
    let mention = #/embedding:([\w.\-]+)/#
    for text in [prompt, negative] {
      for name in text.matches(of: mention).map({ String($0.1) }) {
        guard let files else {
          throw .request(
            part: "prompt",
            problem: "embedding:\(name): where is it? Give the folder of learned words by "
              + "--embedding-dir or DIFFUSION_EMBEDDING_DIR")
        }
        _ = try files.path(of: name, for: "embedding:\(name)")
      }
    }
    guard let files else { return }
    (prompt, negative) = (
      prompt.replacing(mention) { $0.1 }, negative.replacing(mention) { $0.1 }
    )
    for name in files.names where [prompt, negative].contains(where: { $0.hasWord(name) }) {
      words.append(try files.path(of: name, for: name))
      wordFolder = files.folder
    }
  }
}

extension String {
  /// Whether a word stands in the text, in any case of letters, with no letter or digit of it at either side.
  fileprivate func hasWord(_ word: String) -> Bool {
    let (text, word) = (Array(lowercased()), Array(word.lowercased()))
    guard !word.isEmpty, text.count >= word.count else { return false }
    func continues(_ index: Int, _ edge: Character) -> Bool {
      text.indices.contains(index) && Self.isPart(text[index]) && Self.isPart(edge)
    }
    return (0...text.count - word.count).contains { start in
      text[start..<start + word.count].elementsEqual(word)
        && !continues(start - 1, word[0])
        && !continues(start + word.count, word[word.count - 1])
    }
  }

  private static func isPart(_ character: Character) -> Bool {
    character.isLetter || character.isNumber
  }
}
