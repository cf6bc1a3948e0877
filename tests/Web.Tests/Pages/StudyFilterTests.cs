using Microsoft.AspNetCore.DataProtection;
using Web.Studies;

namespace Web.Tests.Pages;

public sealed class StudyFilterTests
{
    private static readonly SearchSeal Seal = new(new EphemeralDataProtectionProvider());

    [Fact]
    public void ToAddress_TextThatNamesAPatient_ContainsNothingOfIt()
    {
        var address = new StudyFilter { Text = "TESTHEAD" }.ToAddress(Seal);

        Assert.StartsWith("/?s=", address);
        Assert.DoesNotContain("TESTHEAD", Uri.UnescapeDataString(address), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Read_WhatToAddressWrote_IsTheSameFilter()
    {
        var filter = new StudyFilter
        {
            Text = "müller & co",
            Modality = "CT",
            Period = StudyPeriod.Range,
            From = new DateOnly(2026, 1, 2),
            To = new DateOnly(2026, 3, 4),
            Sort = StudySort.Name,
            Reversed = true,
            Page = 7,
        };

        Assert.Equal(filter, Read(filter.ToAddress(Seal)));
    }

    [Theory]
    [InlineData("/?s=broken")]
    [InlineData("/?modality=%3Cscript%3E")]
    [InlineData("/?modality=ct")]
    [InlineData("/?period=7")]
    [InlineData("/?period=range")]
    [InlineData("/?period=range&from=yesterday")]
    [InlineData("/?sort=1")]
    [InlineData("/?sort=drop-table")]
    [InlineData("/?page=-1")]
    [InlineData("/?page=99999999999999999999")]
    [InlineData("/?from=2026-01-01")]
    public void Read_WhatItDoesNotUnderstand_CountsAsNotGiven(string address) => Assert.Equal(StudyFilter.None, Read(address));

    [Fact]
    public void Read_SealOfAnotherServer_CountsAsNotGiven()
    {
        var foreign = new SearchSeal(new EphemeralDataProtectionProvider());

        Assert.Equal(StudyFilter.None, Read(new StudyFilter { Text = "x" }.ToAddress(foreign)));
    }

    [Fact]
    public void Read_ControlCharactersAndLength_AreCut()
    {
        var filter = StudyFilter.Read(name => name == "text" ? " a\u0000b\\c\n" + new string('d', 500) : null, Seal);

        Assert.Equal(StudyFilter.MaxTextLength, filter.Text.Length);
        Assert.StartsWith("abcd", filter.Text);
    }

    [Fact]
    public void Read_RangeTheWrongWayRound_IsTurned()
    {
        var filter = Read("/?period=range&from=2026-03-04&to=2026-01-02");

        Assert.Equal((new DateOnly(2026, 1, 2), new DateOnly(2026, 3, 4)), filter.Days(default));
    }

    [Theory]
    [InlineData(StudyPeriod.Today, "2026-11-20", "2026-11-20")]
    [InlineData(StudyPeriod.Week, "2026-11-14", "2026-11-20")]
    [InlineData(StudyPeriod.Month, "2026-10-22", "2026-11-20")]
    public void Days_Period_EndsToday(StudyPeriod period, string first, string last)
    {
        var days = new StudyFilter { Period = period }.Days(new DateOnly(2026, 11, 20));

        Assert.Equal((DateOnly.Parse(first), DateOnly.Parse(last)), days);
    }

    [Theory]
    [InlineData("/", "?orderby=StudyDate%3Adesc%2CStudyTime%3Adesc&limit=50")]
    [InlineData("/?sort=date-reversed", "?orderby=StudyDate%2CStudyTime&limit=50")]
    [InlineData("/?sort=name&page=3", "?orderby=PatientName&limit=50&offset=100")]
    [InlineData("/?modality=CT&period=today", "?ModalitiesInStudy=CT&StudyDate=20261120&orderby=StudyDate%3Adesc%2CStudyTime%3Adesc&limit=50")]
    [InlineData("/?period=range&to=2026-01-02", "?StudyDate=-20260102&orderby=StudyDate%3Adesc%2CStudyTime%3Adesc&limit=50")]
    public void For_Filter_IsAQidoQuery(string address, string query) =>
        Assert.Equal(query, StudyQueries.For(Read(address), new DateOnly(2026, 11, 20)).ToString());

    [Fact]
    public void For_Text_IsEncodedWhole() =>
        Assert.StartsWith("?search=a%26limit%3D1%20b&", StudyQueries.For(new StudyFilter { Text = "a&limit=1 b" }, default).ToString());

    private static StudyFilter Read(string address)
    {
        var query = System.Web.HttpUtility.ParseQueryString(new Uri(new Uri("http://web"), address).Query);
        return StudyFilter.Read(name => query[name], Seal);
    }
}
