/// CLIP's vocabulary, which comes with the engine: OpenAI's list of byte pairs (MIT; its license lies beside it).
public enum EmbeddedVocabulary {
  /// The file's name.
  public static let fileName = "bpe_simple_vocab_16e6.txt.gz"

  /// Where the list is.
  ///
  /// - Throws: ``PipelineError/embeddedVocabularyMissing(searched:)`` with every place that was searched.
  public static func path() throws(PipelineError) -> String {
    switch EmbeddedResource.find(fileName, fromBinary: EmbeddedResource.binary) {
    case .found(let path): return path
    case .missing(let places): throw .embeddedVocabularyMissing(searched: places)
    }
  }
}
