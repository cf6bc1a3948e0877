using System.Buffers;
using System.Text.Json;
using Platform.Dicom;
using Platform.Dicom.Json;

namespace ImageApi.Catalog;

/// <summary>The DICOM JSON (PS3.18 F) that the catalog keeps per level: which attributes, and how computed ones join them.</summary>
internal static class HeaderJson
{
    /// <summary>Patient and study attributes, ascending.</summary>
    public static readonly DicomJsonOptions StudyTags = Of(
    [
        DicomTags.SpecificCharacterSet, DicomTags.StudyDate, DicomTags.StudyTime, DicomTags.AccessionNumber, DicomTags.ReferringPhysicianName, DicomTags.TimezoneOffsetFromUTC,
        DicomTags.StudyDescription, DicomTags.ProcedureCodeSequence, DicomTags.NameOfPhysiciansReadingStudy, DicomTags.AdmittingDiagnosesDescription,
        DicomTags.PatientName, DicomTags.PatientID, DicomTags.IssuerOfPatientID, DicomTags.PatientBirthDate, DicomTags.PatientBirthTime, DicomTags.PatientSex,
        DicomTags.OtherPatientIDsSequence, DicomTags.OtherPatientNames, DicomTags.PatientAge, DicomTags.PatientSize, DicomTags.PatientWeight, DicomTags.EthnicGroup,
        DicomTags.Occupation, DicomTags.PatientComments, DicomTags.StudyInstanceUID, DicomTags.StudyID,
    ]);

    /// <summary>Series, equipment and request attributes, ascending.</summary>
    public static readonly DicomJsonOptions SeriesTags = Of(
    [
        DicomTags.SpecificCharacterSet, DicomTags.SeriesDate, DicomTags.SeriesTime, DicomTags.Modality, DicomTags.Manufacturer, DicomTags.InstitutionName, DicomTags.TimezoneOffsetFromUTC,
        DicomTags.StationName, DicomTags.SeriesDescription, DicomTags.PerformingPhysicianName, DicomTags.OperatorsName, DicomTags.ManufacturerModelName, DicomTags.BodyPartExamined,
        DicomTags.ProtocolName, DicomTags.PatientPosition, DicomTags.SeriesInstanceUID, DicomTags.SeriesNumber, DicomTags.FrameOfReferenceUID, DicomTags.Laterality,
        DicomTags.PerformedProcedureStepStartDate, DicomTags.PerformedProcedureStepStartTime, DicomTags.PerformedProcedureStepID, DicomTags.RequestAttributesSequence,
    ]);

    /// <summary>Instance attributes, ascending.</summary>
    public static readonly DicomJsonOptions InstanceTags = Of(
    [
        DicomTags.SpecificCharacterSet, DicomTags.ImageType, DicomTags.SOPClassUID, DicomTags.SOPInstanceUID, DicomTags.AcquisitionDate, DicomTags.ContentDate, DicomTags.AcquisitionDateTime,
        DicomTags.AcquisitionTime, DicomTags.ContentTime, DicomTags.TimezoneOffsetFromUTC, DicomTags.SliceThickness, DicomTags.AcquisitionNumber, DicomTags.InstanceNumber,
        DicomTags.ImagePositionPatient, DicomTags.ImageOrientationPatient, DicomTags.SliceLocation, DicomTags.SamplesPerPixel, DicomTags.PhotometricInterpretation,
        DicomTags.NumberOfFrames, DicomTags.Rows, DicomTags.Columns, DicomTags.PixelSpacing, DicomTags.BitsAllocated, DicomTags.BitsStored, DicomTags.PixelRepresentation,
        DicomTags.DocumentTitle, DicomTags.MIMETypeOfEncapsulatedDocument, DicomTags.ContentLabel, DicomTags.ConceptNameCodeSequence, DicomTags.CompletionFlag, DicomTags.VerificationFlag,
    ]);

    /// <summary>The attributes of a level that the data set has, as one JSON object in UTF-8.</summary>
    public static byte[] Write(DicomDataset dataset, DicomJsonOptions level) => DicomJsonWriter.ToUtf8(dataset, level);

    /// <summary>A JSON object with computed attributes put where their keys belong; they take the place of stored ones.</summary>
    public static byte[] Merge(ReadOnlySpan<byte> json, ReadOnlySpan<Computed> computed)
    {
        var output = new ArrayBufferWriter<byte>(json.Length + (computed.Length * 80));
        using var writer = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
        var reader = new Utf8JsonReader(json);
        writer.WriteStartObject();
        var next = 0;
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            while (next < computed.Length && string.CompareOrdinal(computed[next].Key, key) < 0) computed[next++].Write(writer);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (next < computed.Length && computed[next].Key == key) continue;
            writer.WritePropertyName(key);
            writer.WriteRawValue(json[start..(int)reader.BytesConsumed], skipInputValidation: true);
        }
        while (next < computed.Length) computed[next++].Write(writer);
        writer.WriteEndObject();
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    private static DicomJsonOptions Of(HashSet<DicomTag> tags) => new() { Filter = tags.Contains };

    /// <summary>An attribute that the catalog knows and the files do not: a number, or strings.</summary>
    public readonly struct Computed
    {
        private readonly string[]? _values;
        private readonly long _number;
        private readonly string _vr;

        public Computed(string key, string vr, string[] values) => (Key, _vr, _values) = (key, vr, values);
        public Computed(string key, string vr, long number) => (Key, _vr, _number) = (key, vr, number);

        public string Key { get; }

        public void Write(Utf8JsonWriter writer)
        {
            writer.WriteStartObject(Key);
            writer.WriteString("vr"u8, _vr);
            if (_values is not { Length: 0 })
            {
                writer.WriteStartArray("Value"u8);
                if (_values is null) writer.WriteNumberValue(_number);
                else foreach (var value in _values) writer.WriteStringValue(value);
                writer.WriteEndArray();
            }
            writer.WriteEndObject();
        }
    }
}
