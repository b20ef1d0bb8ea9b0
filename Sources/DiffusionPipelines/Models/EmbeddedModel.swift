/// The model that comes with the engine: a class-conditional DDPM of handwritten digits.
public enum EmbeddedModel {
  /// The file's name.
  public static let fileName = "mnist.safetensors"

  /// Where the model is.
  ///
  /// - Throws: ``PipelineError/embeddedModelMissing(searched:)`` with every place that was searched.
  public static func path() throws(PipelineError) -> String {
    try path(fromBinary: EmbeddedResource.binary)
  }

  /// Where the model of a binary is.
  package static func path(fromBinary binary: String) throws(PipelineError) -> String {
    switch EmbeddedResource.find(fileName, fromBinary: binary) {
    case .found(let path): return path
    case .missing(let places): throw .embeddedModelMissing(searched: places)
    }
  }
}
